"""An RTSP camera of test pictures on loopback, for `test_live.py`; run by the system's Python, which has GStreamer.

rtsp_server.py PORT [USER PASSWORD]   serves rtsp://127.0.0.1:PORT/camera and prints "ready".
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=25/1 "
    "! openh264enc gop-size=10 ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)


def main(port: str, *login: str) -> None:
    Gst.init(None)
    if not Gst.ElementFactory.find("openh264enc"):
        sys.exit("no openh264enc")
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE)
    factory.set_shared(True)
    if login:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login), token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/camera", factory)
    if not server.attach(None):
        sys.exit("port taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


main(*sys.argv[1:])
