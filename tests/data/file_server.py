#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Serves a folder's files on a free port of 127.0.0.1, logging each request on a line of LOG.

usage: file_server.py FOLDER LOG PORT_FILE [--cut BYTES] [--no-ranges]
PORT_FILE is written when the server answers.
--cut: each answer breaks off after so many bytes.   --no-ranges: like a server that cannot go on in the middle.
"""
import argparse
import http.server
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("log", type=pathlib.Path)
parser.add_argument("port_file", type=pathlib.Path)
parser.add_argument("--cut", type=int)
parser.add_argument("--no-ranges", action="store_true")
options = parser.parse_args()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range", "")
        with options.log.open("a") as log:
            log.write(f"{self.path} {wanted}\n")
        file = options.folder / self.path.lstrip("/")
        if not file.is_file():
            return self.send_error(404)
        content = file.read_bytes()
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and not options.no_ranges else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        end = len(content) if options.cut is None else min(len(content), start + options.cut)
        self.wfile.write(content[start:end])

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
aside = options.port_file.with_suffix(".aside")
aside.write_text(str(server.server_address[1]))
aside.rename(options.port_file)
server.serve_forever()
