"""Tests of the REST API, through the web application."""
