"""How pages look and behave: the base page, components, tokens, navigation, slots, the way htmx is answered.

No models, and no knowledge of any room. Rooms register what they offer (`navigation.register`, `slots.fill`) from
their `apps.ready()` and write their pages from `ui/base.html` and the tags of `{% load ui %}`. The styles are in
`styles/`, one file per component; the behavior that every page shares is in `islands/app`. Both are built into
`static/ui/built`, which the wheel ships.
"""
