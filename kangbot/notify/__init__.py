"""Messages to people, through whatever service they read; a failure here never touches trading.

`wording` turns events into notices, `machines/notices.py` decides what is told when, `notifier` is the task that tells
it, `outside` the process that knows the services, which ends after each message.
"""
