"""What the public may see of open capacity (信息公开): fixed squares in classes, released by a second person."""
