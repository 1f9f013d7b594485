"""What the studies share: results, what they ran on, tables and intervals, command lines, figures."""
