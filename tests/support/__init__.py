"""What tests need from outside: real servers, made and thrown away. None of our own code is replaced here."""
