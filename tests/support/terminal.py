"""A command that hears of its terminal's end and keys, whoever runs the tests.

Under `nohup` SIGHUP is ignored by all that is started, and SIGINT and SIGQUIT are in the background of a script; the
program obeys that.
"""

HEARS_ITS_END = ("env", "--default-signal=HUP,INT,QUIT")  # before a command: it is replaced by it, under the same pid
