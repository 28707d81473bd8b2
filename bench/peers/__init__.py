"""What people would otherwise write, each as a small equivalent of our own with its best sensible settings."""
