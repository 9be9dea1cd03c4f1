"""What of the public face needs several rooms; all of it is imported as `edgefashion`."""
