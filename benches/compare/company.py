"""A company drawn from a seed: services, their instances, their operations, and the calls of a request.

Its architecture is that of OpenTelemetry's demo: a proxy, front ends, services that call one another over gRPC and HTTP, databases and
caches, queues with consumers, a few outside services. Names, routes, statements, versions, calls and durations differ with the
seed. Attributes are those of the semantic conventions; resources have what SDKs and the collector's Kubernetes processor add.
"""
import random
import uuid

# Language: SDK version, runtime, its version, the scopes of HTTP, RPC and database spans, whether its exporter sends flags.
LANGUAGES = {
    "go": ("1.38.0", "go", "go1.25.1", ("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.63.0"),
           ("go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "0.63.0"), ("github.com/XSAM/otelsql", "0.40.0"), True),
    "java": ("1.54.0", "OpenJDK Runtime Environment", "21.0.8+9-LTS", ("io.opentelemetry.tomcat-10.0", "2.20.0-alpha"),
             ("io.opentelemetry.grpc-1.6", "2.20.0-alpha"), ("io.opentelemetry.jdbc", "2.20.0-alpha"), True),
    "nodejs": ("2.1.0", "nodejs", "22.19.0", ("@opentelemetry/instrumentation-http", "0.203.0"),
               ("@opentelemetry/instrumentation-grpc", "0.203.0"), ("@opentelemetry/instrumentation-pg", "0.56.0"), True),
    "python": ("1.37.0", "CPython", "3.12.11", ("opentelemetry.instrumentation.flask", "0.58b0"),
               ("opentelemetry.instrumentation.grpc", "0.58b0"), ("opentelemetry.instrumentation.psycopg2", "0.58b0"), True),
    "dotnet": ("1.12.0", ".NET", "8.0.20", ("Microsoft.AspNetCore", ""), ("OpenTelemetry.Instrumentation.GrpcNetClient", "1.12.0"), ("Npgsql", "9.0.3"), False),
    "rust": ("0.30.0", "rustc", "1.90.0", ("opentelemetry-instrumentation-actix-web", "0.22.0"), ("tonic", "0.13.1"), ("sqlx", "0.8.6"), True),
}
WEIGHTS = [6, 5, 5, 4, 3, 2]

SERVER, CLIENT, INTERNAL, PRODUCER, CONSUMER = 2, 3, 1, 4, 5
KIND_NAMES = {SERVER: "Server", CLIENT: "Client", INTERNAL: "Internal", PRODUCER: "Producer", CONSUMER: "Consumer"}

N_SHAPES = 400
SPANS_MIN, SPANS_MAX = 5, 60
DEPTH_MAX = 9
EPHEMERAL_PORTS = (32_768, 60_999)
N_USERS = 20_000
N_PRODUCTS = 400


class Service:
    """A service and the resources of its instances."""

    def __init__(self, drawn, name, language, namespace):
        self.name, self.language = name, language
        self.sdk, runtime, runtime_version, self.http, self.rpc, self.sql, self.has_flags = LANGUAGES[language]
        self.port = drawn.choice([8080, 8081, 50051, 3000, 9090])
        self.exceptions = [exception(drawn, name, language) for _ in range(drawn.randint(2, 6))]
        self.operations = []
        self.threads = [f"{drawn.choice(['http-nio-8080-exec', 'grpc-default-executor'])}-{number}" for number in range(1, 21)]
        self.peers = [f"10.2.{drawn.randint(0, 9)}.{drawn.randint(2, 250)}" for _ in range(3)]
        version = f"{drawn.randint(0, 4)}.{drawn.randint(0, 30)}.{drawn.randint(0, 9)}"
        replica_set = f"{name}-{drawn.randbytes(5).hex()[:9]}"
        self.instances = []
        for _ in range(drawn.choice([1, 1, 2, 2, 3, 4])):
            pod = f"{replica_set}-{drawn.randbytes(4).hex()[:5]}"
            self.instances.append([
                ("service.name", name), ("service.namespace", namespace), ("service.version", version),
                ("service.instance.id", str(uuid.UUID(bytes=drawn.randbytes(16)))), ("deployment.environment.name", "production"),
                ("telemetry.sdk.language", language), ("telemetry.sdk.name", "opentelemetry"), ("telemetry.sdk.version", self.sdk),
                ("process.pid", drawn.choice([1, 1, 1, drawn.randint(7, 40)])), ("process.runtime.name", runtime),
                ("process.runtime.version", runtime_version), ("host.name", pod), ("host.arch", "amd64"), ("os.type", "linux"),
                ("k8s.namespace.name", namespace), ("k8s.deployment.name", name), ("k8s.pod.name", pod),
                ("k8s.pod.ip", f"10.1.{drawn.randint(0, 9)}.{drawn.randint(2, 250)}"),
                ("k8s.pod.uid", str(uuid.UUID(bytes=drawn.randbytes(16)))), ("k8s.node.name", f"node-{drawn.randint(1, 12)}"),
                ("k8s.pod.start_time", f"2026-11-0{drawn.randint(1, 9)}T0{drawn.randint(0, 9)}:{drawn.randint(10, 59)}:12Z"),
            ])


class Operation:
    """The spans of one name.

    `fixed` are attributes that never vary, `outcome` those of success and those of failure, `varied` functions from a random number to
    an attribute. The time of the span without its children is log-normal with `median_ns` and `sigma`. `steps` are pairs of an operation
    that it calls and the limit on how often.
    """

    def __init__(self, service, name, kind, scope, fixed, varied=(), outcome=((), ()), median_ns=1e6, sigma=0.5, event=None):
        self.service, self.name, self.kind, self.scope = service, name, kind, scope
        self.fixed, self.varied, self.outcome = list(fixed), list(varied), outcome
        if service.language == "java":
            self.varied.insert(0, one_of("thread.name", service.threads))
        if kind == CLIENT:
            self.varied.append(one_of("network.peer.address", service.peers))
        self.median_ns, self.sigma, self.event = median_ns, sigma, event
        self.steps = []


def exception(drawn, service, language):
    """A type, a message and a stack trace."""
    kind = drawn.choice(["TimeoutError", "ConnectionRefused", "ValidationError", "IllegalStateException", "NullReferenceException"])
    message = f"{drawn.choice(['cannot reach', 'no answer from', 'unexpected state of'])} {word(drawn)}"
    package = service.replace("-", ".")
    frames = [f"    at {package}.{word(drawn)}.{word(drawn)}({word(drawn)}.{language}:{drawn.randint(10, 900)})" for _ in range(drawn.randint(6, 25))]
    return kind, message, "\n".join([f"{kind}: {message}", *frames])


def word(drawn, n=2):
    return "".join(drawn.choice("bcdfglmnprstv") + drawn.choice("aeiou") for _ in range(n)) + drawn.choice("lnrst")


def port(name):
    low, high = EPHEMERAL_PORTS
    return lambda r: (name, low + r % (high - low))


def one_of(name, values):
    return lambda r: (name, values[r % len(values)])


def unique(name):
    """An attribute with a UUID of its own in each span, made of the random number by an odd factor."""
    return lambda r: (name, str(uuid.UUID(int=r * 0x9E3779B97F4A7C15F39CC0605CEDC835 & (1 << 128) - 1)))


class Company:
    """Services, and shapes of traces with their shares of all traces."""

    def __init__(self, seed):
        self.drawn = drawn = random.Random(seed)
        namespace = word(drawn)
        self.users = [str(uuid.UUID(bytes=drawn.randbytes(16))) for _ in range(N_USERS)]
        self.products = [drawn.randbytes(5).hex().upper() for _ in range(N_PRODUCTS)]
        names = sorted({f"{word(drawn)}-{drawn.choice(['service', 'api', 'manager', 'worker'])}" if drawn.random() < 0.5 else word(drawn, 3) for _ in range(34)})
        drawn.shuffle(names)
        language = lambda: drawn.choices(list(LANGUAGES), WEIGHTS)[0]
        self.proxy = Service(drawn, "frontend-proxy", "rust", namespace)
        self.frontends = [Service(drawn, name, "nodejs", namespace) for name in names[:3]]
        self.inner = [Service(drawn, name, language(), namespace) for name in names[3:]]
        self.services = [self.proxy, *self.frontends, *self.inner]
        n_consumers = 4
        self.consumers = self.inner[-n_consumers:]
        self.topics = [word(drawn, 3) for _ in self.consumers]
        for number, service in reversed(list(enumerate(self.inner))):
            self.operate(service, self.inner[number + 1:-n_consumers])
        self.entries = [self.entry(service, number == 0) for service in self.frontends for number in range(drawn.randint(6, 10))]
        self.shapes = self.draw_shapes()
        self.shares = [1 / (rank + 4) for rank in range(len(self.shapes))]

    def operate(self, service, callees):
        """Gives a service its operations. Its callees have theirs already."""
        drawn = self.drawn
        store = drawn.choice(["postgresql", "postgresql", "redis", "mysql", None])
        callees = drawn.sample(callees, min(len(callees), drawn.randint(1, 4)))
        callees = [callee for callee in callees if callee.operations]
        is_consumer = service in self.consumers
        for _ in range(drawn.randint(2, 5)):
            operation = self.consume(service) if is_consumer else self.serve(service)
            for _ in range(drawn.randint(0, 2) if store else 0):
                operation.steps.append((self.query(service, store), drawn.choice([1, 1, 1, 1, 3])))
            for _ in range(drawn.randint(0, 2) if callees else 0):
                callee = drawn.choice(drawn.choice(callees).operations)
                operation.steps.append((self.call(service, callee), 1))
            for _ in range(drawn.randint(0, 2)):
                name, items = f"{word(drawn)}{word(drawn).title()}", one_of("app.items.count", list(range(1, 12)))
                internal = Operation(service, name, INTERNAL, (service.name, ""), [], [items], median_ns=4e5)
                operation.steps.append((internal, 1))
            if not is_consumer and drawn.random() < 0.15:
                operation.steps.append((self.publish(service), 1))
            if drawn.random() < 0.05:
                operation.steps.append((self.outside(service), 1))
            drawn.shuffle(operation.steps)
            service.operations.append(operation)

    def serve(self, service):
        """A server span of an inner service: RPC or HTTP."""
        drawn = self.drawn
        varied = [port("network.peer.port"), one_of("network.peer.address", [f"10.1.{n // 40}.{n * 7 % 250 + 2}" for n in range(60)])]
        if drawn.random() < 0.3:
            varied.append(one_of("app.product.id", self.products))
        if drawn.random() < 0.2:
            varied.append(one_of("app.user.id", self.users))
        event = word(drawn, 3).title() if drawn.random() < 0.1 else None
        cost = {"median_ns": drawn.uniform(2e5, 8e6), "sigma": drawn.uniform(0.3, 1.0), "event": event}
        if drawn.random() < 0.65:
            package, method = f"{word(drawn)}.{word(drawn).title()}Service", f"{drawn.choice(['Get', 'List', 'Add', 'Check', 'Place'])}{word(drawn).title()}"
            fixed = [("rpc.system", "grpc"), ("rpc.service", package), ("rpc.method", method), ("server.address", service.name), ("server.port", service.port)]
            outcome = ([("rpc.grpc.status_code", 0)], [("rpc.grpc.status_code", drawn.choice([2, 4, 13, 14]))])
            return Operation(service, f"{package}/{method}", SERVER, service.rpc, fixed, varied, outcome, **cost)
        method, route = drawn.choice(["GET", "GET", "POST", "PUT"]), f"/{word(drawn)}/{word(drawn)}" + drawn.choice(["", "/{id}"])
        paths = [route.replace("{id}", str(drawn.randint(1, 10**6))) for _ in range(200)] if "{" in route else [route]
        fixed = [("http.request.method", method), ("http.route", route), ("url.scheme", "http"), ("network.protocol.version", "1.1"),
                 ("server.address", service.name), ("server.port", service.port),
                 ("user_agent.original", drawn.choice(["axios/1.11.0", "Go-http-client/1.1", "okhttp/5.1.0"]))]
        outcome = ([("http.response.status_code", drawn.choice([200, 200, 201]))], [("http.response.status_code", drawn.choice([500, 500, 503]))])
        return Operation(service, f"{method} {route}", SERVER, service.http, fixed, [*varied, one_of("url.path", paths)], outcome, **cost)

    def call(self, service, callee):
        """A client span whose other side is a server span of another service."""
        same = ("rpc.system", "rpc.service", "rpc.method", "http.request.method", "server.address", "server.port")
        fixed = [pair for pair in callee.fixed if pair[0] in same]
        is_rpc = fixed[0][0] == "rpc.system"
        varied = [] if is_rpc else [lambda r, path=callee.varied[-1], at=f"http://{callee.service.name}:{callee.service.port}": ("url.full", at + path(r)[1])]
        name, scope = (callee.name, service.rpc) if is_rpc else (fixed[0][1], service.http)
        operation = Operation(service, name, CLIENT, scope, fixed, varied, callee.outcome, 3e5, 0.6)
        operation.steps = [(callee, 1)]
        return operation

    def query(self, service, store):
        """A client span of a database or a cache."""
        drawn = self.drawn
        at = [("db.system.name", store), ("server.address", f"{store}-{service.name}"), ("server.port", {"postgresql": 5432, "redis": 6379, "mysql": 3306}[store])]
        if store == "redis":
            name = drawn.choice(["HGET", "HMSET", "EXPIRE", "GET"])
            return Operation(service, name, CLIENT, service.sql, [*at, ("db.operation.name", name), ("db.query.text", f"{name} ? ?")], [], median_ns=3e5)
        table, verb = word(drawn, 3), drawn.choice(["SELECT", "SELECT", "SELECT", "INSERT", "UPDATE"])
        columns = ", ".join(word(drawn) for _ in range(drawn.randint(3, 9)))
        text = {"SELECT": f"SELECT {columns} FROM {table} WHERE {word(drawn)} = $1", "INSERT": f"INSERT INTO {table} ({columns}) VALUES ($1, $2, $3)",
                "UPDATE": f"UPDATE {table} SET {word(drawn)} = $1 WHERE id = $2"}[verb]
        fixed = [*at, ("db.namespace", service.name), ("db.operation.name", verb), ("db.collection.name", table), ("db.query.text", text)]
        rows = [one_of("db.response.returned_rows", [0, 1, 1, 1, 2, 5, 10, 20])] if drawn.random() < 0.5 else []
        return Operation(service, f"{verb} {table}", CLIENT, service.sql, fixed, rows, median_ns=drawn.uniform(4e5, 6e6), sigma=0.8)

    def publish(self, service):
        """A producer span whose other side is a consumer."""
        number = self.drawn.randrange(len(self.topics))
        operation = Operation(service, f"publish {self.topics[number]}", PRODUCER, (f"{service.name}.kafka", ""), self.message(number, "send"),
                              [one_of("messaging.destination.partition.id", list("012345"))], median_ns=8e5)
        operation.steps = [(self.drawn.choice(self.consumers[number].operations), 1)] if self.consumers[number].operations else []
        return operation

    def consume(self, service):
        number = self.consumers.index(service)
        fixed = [*self.message(number, "process"), ("messaging.consumer.group.name", service.name)]
        varied = [one_of("messaging.destination.partition.id", list("012345")), lambda r: ("messaging.kafka.offset", 1_000_000 + r % 900_000)]
        return Operation(service, f"process {self.topics[number]}", CONSUMER, (f"{service.name}.kafka", ""), fixed, varied, median_ns=5e6, sigma=0.9)

    def message(self, number, verb):
        return [("messaging.system", "kafka"), ("messaging.destination.name", self.topics[number]), ("messaging.operation.type", verb),
                ("server.address", "kafka"), ("server.port", 9092)]

    def outside(self, service):
        host = f"api.{word(self.drawn)}.example.com"
        fixed = [("http.request.method", "POST"), ("server.address", host), ("server.port", 443),
                 ("url.full", f"https://{host}/v1/{word(self.drawn)}"), ("network.protocol.version", "1.1")]
        outcome = ([("http.response.status_code", 200)], [("http.response.status_code", 502)])
        return Operation(service, "POST", CLIENT, service.http, fixed, [], outcome, 6e7, 0.7)

    def entry(self, frontend, is_order):
        """A request to the proxy, which passes it to a front end, which calls some services."""
        drawn = self.drawn
        method, route = drawn.choice(["GET", "GET", "GET", "POST"]), f"/api/{word(drawn)}" + drawn.choice(["", "", "/{id}"])
        systems = ("X11; Linux x86_64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7")
        agents = [f"Mozilla/5.0 ({system}) AppleWebKit/537.36 Chrome/{n}.0.0.0 Safari/537.36" for system in systems for n in range(128, 141)]
        path = one_of("url.path", [route.replace("{id}", product) for product in self.products[:100]] if "{" in route else [route])
        both = [("http.request.method", method), ("url.scheme", "http"), ("network.protocol.version", "1.1")]
        outcome = ([("http.response.status_code", 200)], [("http.response.status_code", drawn.choice([500, 503, 504]))])
        shop = [one_of("session.id", self.users), one_of("app.user.id", self.users)]
        if is_order:
            shop.append(unique("app.order.id"))
        page = Operation(frontend, f"{method} {route}", SERVER, frontend.http,
                         [*both, ("http.route", route), ("server.address", frontend.name), ("server.port", 8080)],
                         [path, one_of("user_agent.original", agents), port("network.peer.port"), *shop], outcome, drawn.uniform(1e6, 5e6))
        for _ in range(drawn.randint(1, 3)):
            callee = drawn.choice(drawn.choice(self.inner[:len(self.inner) // 2]).operations)
            page.steps.append((self.call(frontend, callee), drawn.choice([1, 1, 1, 1, 3])))
        to = [("component", "proxy"), ("upstream_cluster", frontend.name), ("server.address", frontend.name), ("response_flags", "-")]
        sent = Operation(self.proxy, f"router {frontend.name} egress", CLIENT, ("envoy", ""), [*both, *to],
                         [path, port("client.port")], outcome, 3e5)
        sent.steps = [(page, 1)]
        ingress = Operation(self.proxy, "ingress", SERVER, ("envoy", ""), [*both, ("component", "proxy"), ("node_id", ""), ("zone", ""), ("downstream_cluster", "")],
                            [unique("guid:x-request-id"), path, one_of("user_agent.original", agents),
                             lambda r: ("request_size", r % 1500), lambda r: ("response_size", 200 + r % 30_000)], outcome, 2e5)
        ingress.steps = [(sent, 1)]
        return ingress

    def draw_shapes(self):
        """Shapes of traces: lists of pairs of the parent's place, -1 for none, and an operation; parents precede their children."""
        shapes = []
        while len(shapes) < N_SHAPES:
            shape = []
            self.walk(self.drawn.choice(self.entries), -1, 0, shape)
            if len(shape) >= SPANS_MIN:
                shapes.append(shape)
        return shapes

    def walk(self, operation, parent, depth, shape):
        """Adds an operation and those that it causes. A call at the limits stays without an answer, as one of a service without an SDK."""
        if len(shape) >= SPANS_MAX or depth > DEPTH_MAX:
            return
        place = len(shape)
        shape.append((parent, operation))
        for step, n_most in operation.steps:
            is_certain = operation.kind == CLIENT or self.drawn.random() < 0.8
            for _ in range(self.drawn.randint(1, n_most) if is_certain else 0):
                self.walk(step, place, depth + 1, shape)
