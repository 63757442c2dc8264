"""The commands by what a person wants of them: names, options and help texts. What they do is beside this folder."""
