#!/bin/sh
# A score, a monitor and a report by curl alone.
set -eu
url=${KULLBACK_URL:-http://127.0.0.1:8000}

ask() { # METHOD PATH [BODY]
  curl --silent --show-error --fail-with-body --retry 3 --request "$1" "$url$2" \
    --header "Authorization: Bearer ${KULLBACK_API_KEY:-none}" \
    --header 'Content-Type: application/json' ${3:+--data "$3"}
  echo
}

ask POST /v1/scores/log-loss '{"y_true": [1, 0, 1], "y_proba": [0.9, 0.2, 0.6]}'
ask PUT /v1/monitors/by-curl '{"slices": ["country"]}'
ask POST /v1/monitors/by-curl/observations \
  '{"id": ["a", "b", "c"], "y_true": [1, 0, 1], "y_proba": [0.9, 0.2, 0.6], "slice": {"country": ["DE", "DE", "FR"]}}'
ask GET '/v1/monitors/by-curl/report?last=1h&by=country'
ask GET /v1/monitors/by-curl/checks
