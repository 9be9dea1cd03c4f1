"""Other machines, over the user's own `ssh`: what is there, our environment there, and what runs in it.

`host` is what the user calls one, `ssh` runs a command there, `failures` says why one did not. `probe` looks
at a machine and changes nothing; `wheel`, `environment` and `sending` bring what it lacks. No password, key
or configuration of ssh is read here, and nothing there or here needs root.
"""
