"""How a program of each runtime is made to show its heap. One module each, and the small scripts that run inside."""
