"""One process for HTTP and WebSockets. (A first form: HTTP only.)"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "staffroom.settings")
application = get_asgi_application()
