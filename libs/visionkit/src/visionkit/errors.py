"""The one error of visionkit that is not a client's mistake."""


class ModelError(Exception):
    """A model file is missing, damaged, not the one the manifest names, or not what the service expects.

    It is raised while a service starts and stops the start; the message is one line for the operator.
    """
