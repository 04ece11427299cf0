"""Photos that hurt: honest ones of every kind and size, bombs, lies and fragments, made when they are first needed."""
