"""A checkout serves: `uvicorn app.main:app`, `fastapi run --host 127.0.0.1 app/main.py`."""

from kullback.main import create_app

app = create_app()
