"""Context out of the whole repository: what a change asks, the index that answers, the few places worth showing."""
