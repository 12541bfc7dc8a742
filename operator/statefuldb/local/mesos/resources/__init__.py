"""Resources: their arithmetic, their forms, and operations on them."""
