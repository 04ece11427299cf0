"""The three services as processes of this machine, for the command, the demo, the tests and the bench."""

from climbmate_client.local.process import ServiceProcess
from climbmate_client.local.stack import ANEW, LocalStack, StartFailed

__all__ = ["ANEW", "LocalStack", "ServiceProcess", "StartFailed"]
