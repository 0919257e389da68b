"""What is wrong with rules that exist, whoever wrote them."""
