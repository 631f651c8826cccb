"""The yardstick: the service a competent team would write in a week. Neither slower nor cleverer than described."""
