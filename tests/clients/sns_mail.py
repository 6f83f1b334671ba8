#!/usr/bin/env python3
"""SNS by mail, end to end: boto3 subscribes an address, its owner follows the link, and gets what is published and what alarms say.

The mail server is one of our own. CATAT_EXECUTABLE names our program.
"""
import contextlib
import datetime
import email
import email.policy
import os
import pathlib
import re
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

import boto3
import requests

from check import check, main

CATAT = os.environ.get("CATAT_EXECUTABLE", "target/release/catat")


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    letters = []


class Conversation(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        to = []
        self.say("220 test")
        for line in self.rfile:
            command = line.decode().strip()
            if command.startswith("EHLO"):
                self.say("250-test\r\n250 8BITMIME")
            elif command.startswith("RCPT TO:"):
                to.append(command.split("<")[1].split(">")[0])
                self.say("250 ok")
            elif command == "DATA":
                self.say("354 go on")
                lines = []
                for part in self.rfile:
                    if part == b".\r\n":
                        break
                    lines.append(part.removeprefix(b".") if part.startswith(b"..") else part)
                MailServer.letters.append((to, email.message_from_bytes(b"".join(lines), policy=email.policy.default)))
                to = []
                self.say("250 taken")
            elif command == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


def free_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def wait_for(what, function, seconds=90):
    until = time.time() + seconds
    while time.time() < until:
        with contextlib.suppress(requests.ConnectionError):
            found = function()
            if found:
                return found
        time.sleep(0.2)
    raise AssertionError(f"{what} within {seconds} s")


@contextlib.contextmanager
def server(rules):
    """Starts a server with a file of rules; gives its address."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / "rules").mkdir()
        (directory / "rules" / "mail.yaml").write_text(rules, encoding="utf-8")
        address = free_address()
        config = directory / "catat.toml"
        config.write_text(f'[server]\npublic_url = "http://{address}"\n[alerts]\nrules_dir = "{directory}/rules"\n', encoding="utf-8")
        with (directory / "log").open("wb") as log:
            command = [CATAT, "serve", "--config", str(config), "--data-dir", str(directory / "data"), "--listen", address]
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for("a server", lambda: process.poll() is not None or requests.get(f"http://{address}/-/ready", timeout=5).ok)
            assert process.poll() is None, (directory / "log").read_text(encoding="utf-8")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def letters_to(address, subject):
    return [letter for to, letter in MailServer.letters if address in to and subject in letter["Subject"]]


def text_of(letter):
    return letter.get_body(("plain",)).get_content()


@check
def an_address_gets_letters_once_its_owner_has_followed_the_link():
    mail = MailServer(("127.0.0.1", 0), Conversation)
    threading.Thread(target=mail.serve_forever, daemon=True).start()
    rules = f'channels:\n  - {{name: mail, type: email, url: "smtp://127.0.0.1:{mail.server_address[1]}", from: catat@example.org, to: [ops@example.org], topics: [other]}}\n'
    with server(rules) as url:
        client = lambda service, path: boto3.client(service, endpoint_url=f"{url}/{path}", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        sns, cloudwatch = client("sns", "sns"), client("cloudwatch", "cloudwatch")
        arn = sns.create_topic(Name="ops")["TopicArn"]
        assert sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ann@example.org")["SubscriptionArn"] == "pending confirmation"
        asked = wait_for("a letter that asks", lambda: letters_to("ann@example.org", "Confirm your subscription to ops"))[0]
        link = re.search(r"http://\S+Action=ConfirmSubscription\S+", text_of(asked)).group()
        # Nobody gets anything before.
        sns.publish(TopicArn=arn, Subject="Too early", Message="x")
        assert requests.get(link, timeout=10).status_code == 200
        subscription = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"][0]
        assert (subscription["Endpoint"], subscription["Protocol"]) == ("ann@example.org", "email") and subscription["SubscriptionArn"].startswith(arn), subscription
        sns.publish(TopicArn=arn, Subject="Deploy 1.4.2", Message="It begins: ä.\n.\nThe end.")
        letter = wait_for("the message", lambda: letters_to("ann@example.org", "Deploy 1.4.2"))[0]
        assert letter["From"] == "catat@example.org" and "It begins: ä." in text_of(letter) and "The end." in text_of(letter), text_of(letter)
        # An alarm's action.
        cloudwatch.put_metric_alarm(AlarmName="errors", Namespace="App", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=5,
                                    ComparisonOperator="GreaterThanThreshold", AlarmActions=[arn])
        minute = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - datetime.timedelta(minutes=1)
        data = [{"MetricName": "Errors", "Timestamp": minute + datetime.timedelta(minutes=n), "Value": 9} for n in range(2)]
        cloudwatch.put_metric_data(Namespace="App", MetricData=data)
        letter = wait_for("the letter of the alarm", lambda: letters_to("ann@example.org", 'ALARM: "errors" in eu-central-1'))[0]
        assert "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (" in text_of(letter), text_of(letter)
        assert not letters_to("ann@example.org", "Too early")
        # The link in a letter ends the subscription.
        end = re.search(r"http://\S+Action=Unsubscribe\S+", text_of(letter)).group()
        assert requests.get(end, timeout=10).status_code == 200
        assert sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == []
        n_letters = len(letters_to("ann@example.org", ""))
        sns.publish(TopicArn=arn, Subject="Too late", Message="x")
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="bob@example.org")
        wait_for("a letter to another", lambda: letters_to("bob@example.org", "Confirm"))
        assert len(letters_to("ann@example.org", "")) == n_letters


main()
