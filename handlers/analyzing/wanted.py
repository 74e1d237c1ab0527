"""What an analysis looks for: the categories of findings that its type and its options ask for."""

from collections.abc import Mapping

from review.finding import Category

BY_TYPE: dict[str, frozenset[Category]] = {
    "full": frozenset(Category),
    "security": frozenset({Category.SECURITY}),
    "performance": frozenset({Category.PERFORMANCE}),
    "style": frozenset({Category.STYLE}),
    "refactoring": frozenset({Category.MAINTAINABILITY}),
}
BY_OPTION = {
    "check_security": Category.SECURITY,
    "check_performance": Category.PERFORMANCE,
    "suggest_refactoring": Category.MAINTAINABILITY,
}


def wanted_categories(analysis_type: str, options: Mapping[str, bool]) -> frozenset[Category]:
    """The type's categories, with those that an option turns on and without those that one turns off. May be empty."""
    turned_on = {BY_OPTION[name] for name, on in options.items() if on}
    turned_off = {BY_OPTION[name] for name, on in options.items() if not on}
    return (BY_TYPE[analysis_type] | turned_on) - turned_off
