"""Timeframes in seconds and Bybit's words for them. Months are left out: they have no length."""

STREAMED = {  # those that align with the epoch, so that we know when one ends
    60: "1",
    180: "3",
    300: "5",
    900: "15",
    1800: "30",
    3600: "60",
    7200: "120",
    14400: "240",
    21600: "360",
    43200: "720",
    86400: "D",
}
FETCHED = {**STREAMED, 604800: "W"}  # a week begins on Monday
