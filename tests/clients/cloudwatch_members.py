#!/usr/bin/env python3
"""Every member of every operation that CloudWatch's doors answer, in the newest models: used, or refused by its name."""
import pathlib
import re

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from check import URL, check, main

SOURCE = pathlib.Path(__file__).parents[2] / "crates/cloudwatch/src/members.rs"

# Answered in another way: a batch of events is read by a reader of its own, which tests/clients/cloudwatch.py asks.
ELSEWHERE = {"PutLogEvents"}


def used(constant):
    """The places of members in a table, by operation."""
    text = re.search(rf'const {constant}: &str = "\n(.*?)\n";', SOURCE.read_text(), re.S).group(1)
    table = {}
    for line in text.splitlines():
        operation, _, members = line.partition(" ")
        stack, places, last = [], table.setdefault(operation, set()), None
        for token in re.findall(r"[{}]|\w+", members):
            if token == "{":
                stack.append(last)
            elif token == "}":
                stack.pop()
            else:
                last = token
                places.add(".".join([*stack, token]))
    return table


def inner(shape):
    while shape.type_name in ("list", "map"):
        shape = shape.member if shape.type_name == "list" else shape.value
    return shape


def value(shape):
    """Something that a member may be, and that is not as good as nothing."""
    kind = shape.type_name
    if kind == "list":
        return [value(shape.member)]
    if kind == "map":
        return {"a": value(shape.value)}
    if kind == "structure":
        return {name: value(member) for name, member in list(shape.members.items())[:1]}
    return {"boolean": True, "timestamp": 1_795_170_000}.get(kind, 1 if kind in ("integer", "long", "double", "float") else "aaa")


def wrapped(shape, leaf):
    """A structure as it is wanted at the place of a list, a map or a structure."""
    if shape.type_name == "list":
        return [wrapped(shape.member, leaf)]
    return {"a": wrapped(shape.value, leaf)} if shape.type_name == "map" else leaf


def unused(structure, places, prefix=()):
    """Each member that no table has, with an input that has it alone."""
    for name, shape in structure.members.items():
        place = (*prefix, name)
        if ".".join(place) not in places:
            yield place, {name: value(shape)}
        elif inner(shape).type_name == "structure":
            for below, given in unused(inner(shape), places, place):
                yield below, {name: wrapped(shape, given)}


def walk(service, constant):
    client = boto3.client(service, endpoint_url=f"{URL}/cloudwatch", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any",
                          config=Config(retries={"max_attempts": 0}, parameter_validation=False, inject_host_prefix=False))
    model, wrong = client.meta.service_model, []
    methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    for operation, places in used(constant).items():
        if operation in ELSEWHERE or operation not in model.operation_names:
            continue
        shape = model.operation_model(operation).input_shape
        for place, given in unused(shape, places):
            try:
                getattr(client, methods[operation])(**given)
                wrong.append((operation, place, "accepted"))
            except ClientError as error:
                if f"The parameter {'.'.join(place)} of {operation} is not supported here." not in str(error):
                    wrong.append((operation, place, str(error)))
    assert not wrong, wrong


@check
def members_of_the_models_of_logs_are_used_or_refused():
    walk("logs", "LOGS")


@check
def members_of_the_models_of_metrics_are_used_or_refused():
    walk("cloudwatch", "METRICS")


main()
