"""Says what AWS's own service models, as botocore has them, find wrong in calls: a list of JSON on stdin.

Each call has a service and an operation, the request that was sent, and the answer that it was given, as JSON on the wire.
"""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

session = botocore.session.get_session()


def strays(shape, value, at):
    """What a shape does not have, and texts that break its pattern: ParamValidator looks at neither."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name not in shape.members:
                yield f"{at}.{name}: there is no such member"
            else:
                yield from strays(shape.members[name], member, f"{at}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for index, member in enumerate(value):
            yield from strays(shape.member, member, f"{at}[{index}]")
    elif shape.type_name == "string" and isinstance(value, str):
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value):
            yield f"{at}: {value!r} does not fit {pattern}"
        if shape.enum and value not in shape.enum:
            yield f"{at}: {value!r} is none of {shape.enum}"


def faults(shape, value, at):
    if shape is None:
        return
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        yield f"{at}: {report.generate_report()}"
    yield from strays(shape, value, at)


found = []
for call in json.load(sys.stdin):
    operation = session.get_service_model(call["service"]).operation_model(call["operation"])
    for part, shape in (("request", operation.input_shape), ("response", operation.output_shape)):
        where = f"{call['service']} {call['operation']} {part}"
        found += faults(shape, call[part], where)
json.dump(found, sys.stdout)
