"""Searching good settings.

`tune` puts a search together. `space` says where it looks, `plan` what it is about, and `search` asks Optuna and says
which trials go on. `local` runs them in processes of this machine, each of which is a `worker`, and `on_ray` on a
cluster; `trial` is what such a process does. `results` writes what was found, and `picture` draws it.
"""
