"""The simulated exchange: read `venue` first.

Orders come in by `entry` and its `checks`, rest in `store`, and are filled by `matching`; `protection` keeps the stops,
`account` and `position` the books. Its words are `orders`, `events`, `ids` and `refusal`. `front` answers the questions
and requests of `ports.Venue` from all of it.
"""
