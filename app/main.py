"""The application of a checkout: `fastapi run app/main.py`, `uvicorn app.main:app`."""

from kullback.main import create_app

app = create_app()
