"""Tell from a text which class it is of, such as positive or negative, with recurrent layers."""
