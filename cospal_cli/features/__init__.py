"""What the pixels inside boxes look like and how the boxes move."""
