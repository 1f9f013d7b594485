"""What a fit leaves behind: a card (JSON), weights (safetensors), and a manifest that vouches for both."""
