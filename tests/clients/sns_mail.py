#!/usr/bin/env python3
"""Mail, end to end: boto3 subscribes an address to a topic of SNS, its owner follows the link, and gets what is published and what
alarms say; dashboards come when they are due, once, also across a restart.

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

CATAT = os.environ.get("CATAT_EXECUTABLE", "target/debug/catat")


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


class Server(str):
    """The address of a server, and its process."""

    def __new__(cls, url, process):
        server = super().__new__(cls, url)
        server.process = process
        return server


@contextlib.contextmanager
def server(rules, directory=None):
    """Starts a server with a file of rules, in a directory of its own if none is given; gives its address."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(directory or stack.enter_context(tempfile.TemporaryDirectory()))
        (directory / "rules").mkdir(exist_ok=True)
        (directory / "rules" / "mail.yaml").write_text(rules, encoding="utf-8")
        address = free_address()
        config = directory / "catat.toml"
        config.write_text(f'[server]\npublic_url = "http://{address}"\n[alerts]\nrules_dir = "{directory}/rules"\n', encoding="utf-8")
        with (directory / "log").open("ab") as log:
            command = [CATAT, "serve", "--config", str(config), "--data-dir", str(directory / "data"), "--listen", address]
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for("a server", lambda: process.poll() is not None or requests.get(f"http://{address}/-/ready", timeout=5).ok)
            assert process.poll() is None, (directory / "log").read_text(encoding="utf-8")
            yield Server(f"http://{address}", process)
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


def report_of(url, name):
    reports = requests.get(f"{url}/api/v1/reports", timeout=10).json()["reports"]
    return next(report for report in reports if report["name"] == name)


def deliveries(url, name):
    return [(one["channel"], one["state"]) for one in (report_of(url, name)["last"] or {"deliveries": []})["deliveries"]]


HOSTILE = "<script>alert(1)</script>"


@check
def a_dashboard_comes_when_it_is_due_once_though_server_and_mail_fail():
    address = free_address()
    host, port = address.split(":")
    rules = f'channels:\n  - {{name: mail, type: email, url: "smtp://{address}", from: catat@example.org, to: [boss@example.org], topics: [reports]}}\n'
    with tempfile.TemporaryDirectory() as directory:
        with server(rules, directory) as url:
            first = str(url)
            lines = "".join(f'{{"message": "x", "service": "pay", "host": "{host}"}}\n' for host in ("web-1", "web-2", HOSTILE))
            requests.post(f"{url}/api/v1/ingest?group=pay", data=lines.encode(), headers={"Content-Type": "application/x-ndjson"}, timeout=10).raise_for_status()
            panel = {"id": "a", "title": "By host", "kind": "bar", "x": 0, "y": 0, "w": 24, "h": 8, "queries": [{"query": "filter service = $service | stats count(*) as n by host", "groups": ["pay"]}]}
            variables = [{"name": "service", "query": "stats count(*) by service", "groups": ["pay"]}]
            board = {"title": "Payments $service", "range": {"from": "now-1h"}, "variables": variables, "panels": [panel]}
            requests.put(f"{url}/api/v1/dashboards/pay", json=board, timeout=10).raise_for_status()
            for wrong, said in [({"on": "never"}, "monday"), ({"at": "25:00"}, "07:00"), ({"dashboard": None}, "ledger"), ({"lang": "fr"}, "en or id")]:
                report = {"dashboard": "pay", "on": "day", "at": "07:00", "topic": "reports", **wrong}
                refused = requests.put(f"{url}/api/v1/reports/wrong", json=report, timeout=10)
                assert refused.status_code == 400 and said in refused.text, refused.text
            due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=65)
            report = {"dashboard": "pay", "on": "day", "at": due.strftime("%H:%M"), "topic": "reports", "lang": "id"}
            made = requests.put(f"{url}/api/v1/reports/daily", json=report, timeout=10)
            assert made.status_code == 200 and made.json()["channels"] == ["mail"] and made.json()["next"], made.text
            # Nobody takes mail yet: what is due waits, and says why.
            wait_for("a failed attempt", lambda: report_of(url, "daily")["last"] and report_of(url, "daily")["last"]["deliveries"][0]["error"], 100)
            assert deliveries(url, "daily") == [("mail", "waiting")], report_of(url, "daily")
            url.process.kill()
            url.process.wait(timeout=30)
        mail = MailServer((host, int(port)), Conversation)
        threading.Thread(target=mail.serve_forever, daemon=True).start()
        with server(rules, directory) as url:
            letter = wait_for("the letter", lambda: letters_to("boss@example.org", "Payments pay"))[0]
            wait_for("what became of it", lambda: deliveries(url, "daily") == [("mail", "delivered")])
            assert "Berkas terlampir" in text_of(letter) and f"{first}/dashboards/pay?from=" in text_of(letter), text_of(letter)
            [page] = list(letter.iter_attachments())
            html = page.get_content()
            assert page.get_filename().startswith("daily-") and page.get_content_type() == "text/html", page
            assert "web-1" in html and HOSTILE not in html and "&lt;script&gt;" in html and '<html lang="id">' in html, html
            # Its time is over: it is not sent once more. What is asked for now is a letter of its own.
            requests.post(f"{url}/api/v1/reports/daily/send", timeout=10).raise_for_status()
            wait_for("another letter", lambda: len(letters_to("boss@example.org", "Payments pay")) == 2)
            time.sleep(3)
            ids = [letter["Message-ID"] for letter in letters_to("boss@example.org", "Payments pay")]
            assert len(ids) == len(set(ids)) == 2, ids
            in_jakarta = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=7)))
            day = in_jakarta.date().replace(day=1) - datetime.timedelta(days=2)
            incident = {"title": "Payments stood still", "services": ["pay"], "began": f"{day}T08:00:00Z", "mitigated": f"{day}T08:10:00Z"}
            requests.post(f"{url}/api/v1/incidents", json=incident, timeout=10).raise_for_status()
            ledger = {"ledger": True, "objective": "99.9,pay=99.95", "on": "1", "at": "07:00", "time_zone": "Asia/Jakarta", "topic": "reports"}
            requests.put(f"{url}/api/v1/reports/monthly", json=ledger, timeout=10).raise_for_status()
            requests.post(f"{url}/api/v1/reports/monthly/send", timeout=10).raise_for_status()
            letter = wait_for("the ledger", lambda: letters_to("boss@example.org", "Incidents in 20"))[0]
            html = list(letter.iter_attachments())[0].get_content()
            assert "<h1>Incidents in" in html and "<td>99.950 %</td>" in html, html
            # A dashboard that is no more is said, not sent.
            requests.delete(f"{url}/api/v1/dashboards/pay", timeout=10).raise_for_status()
            refused = requests.post(f"{url}/api/v1/reports/daily/send", timeout=10)
            assert refused.status_code == 404 and "pay" in refused.text, refused.text
            requests.delete(f"{url}/api/v1/reports/daily", timeout=10).raise_for_status()
            assert [report["name"] for report in requests.get(f"{url}/api/v1/reports", timeout=10).json()["reports"]] == ["monthly"]


main()
