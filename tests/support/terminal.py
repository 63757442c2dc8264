"""A command that hears of its terminal's end, whoever runs the tests.

Under `nohup` SIGHUP is ignored by all that is started, and the program obeys that.
"""

HEARS_ITS_END = ("env", "--default-signal=HUP")  # put before a command: it is replaced by it, under the same pid
