"""What the two Python drivers do differently."""


class Skip(Exception):
    """The driver has no such thing."""


class Adapter:
    """What the drivers do differently. `options` are those of `connect` of every driver."""

    # Whether the driver speaks the binary protocol.
    prepares = False
    # Whether its errors carry the SQLSTATE.
    has_state = False
    # Kinds of parameters that its binary protocol sends wrongly, given as text instead.
    text_parameters = frozenset()
    # Kinds of columns that it reads wrongly from binary rows.
    misread = frozenset()
    # Whether it can read a binary row of 16 MiB and more.
    reads_big_rows = True
    # Codes of a refused login, its own included.
    refused = frozenset([1045])

    def connect(self, **options):
        raise NotImplementedError

    def error(self, error):
        """Number, state and text of a server's error."""
        raise NotImplementedError

    def prepared_cursor(self, connection):
        raise Skip("the driver has no prepared statements")

    def streaming_cursor(self, connection):
        raise NotImplementedError

    def set_autocommit(self, connection, value):
        raise NotImplementedError

    def begin(self, connection):
        raise NotImplementedError

    def greeting(self, connection):
        raise NotImplementedError

    def statements(self, connection, sql):
        """A list with the rows, or the number of affected rows, of each statement."""
        raise NotImplementedError

    def call(self, connection, name, arguments):
        """OUT and INOUT values, and a list of result sets."""
        raise NotImplementedError

    def reset(self, connection):
        raise Skip("the driver has no reset of a connection")

    def change_user(self, connection, user, password, database):
        raise Skip("the driver has no change of user")

    def ping(self, connection, reconnect):
        raise NotImplementedError

    def warning_count(self, cursor):
        """None where the driver keeps it to itself."""
        return None


class Closing:
    """Closes a connection whatever state it is in."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *_):
        try:
            self.connection.close()
        except Exception:  # pylint: disable=broad-except
            pass
