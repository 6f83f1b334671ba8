"""moto's S3 with one bucket, in a process of its own: bucket.py PORT.

One request at a time: with threads, two of several writers that race for a name may both win.
"""
import sys

import moto.server
import werkzeug.serving

if __name__ == "__main__":
    app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)
    werkzeug.serving.run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=False)
