"""How is a fit doing? Check-ups are numbers; findings name what is wrong and the knob to turn."""
