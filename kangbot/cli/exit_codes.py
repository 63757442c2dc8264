"""What an exit code means; scripts and service managers rely on these (the numbers are those of sysexits.h)."""

OK = 0
FAILURE = 1  # it was tried and did not succeed
USAGE = 2  # the command line itself is wrong
NO_DAEMON = 69  # no daemon answers on the control socket
TEMPORARY = 75  # something is away; the same command may succeed later
CONFIG = 78  # the configuration, or another thing that only a person can put right; trying again changes nothing
HUNG_UP = 129  # its terminal was closed
INTERRUPTED = 130  # Ctrl-C
QUIT = 131  # SIGQUIT, a terminal's Ctrl-Backslash
NO_READER = 141  # whoever read the output has gone (`| head`); what a shell says of a process that SIGPIPE ended
TERMINATED = 143  # SIGTERM
