"""What `kangbot check` looks at beyond the configuration: the machine, the database, the venue and the key.

Nothing is changed and nothing is traded. Each question has a deadline, and one that finds nobody stops no other.

`examination` puts them together, and imports the drivers and adapters for it; `finding` is what each of them says.
"""
