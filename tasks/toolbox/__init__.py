"""Parts that a task may borrow; the engine imports none of them."""
