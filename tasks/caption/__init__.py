"""Say in a sentence what a picture shows, with a recurrent decoder that looks at it anew for each word."""
