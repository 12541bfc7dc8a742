"""What is stored, how it is named and found, and in which other forms it is seen."""
