"""`mien cameras`: people followed from camera to camera."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.output import Fpir, Json, make_folder, note, print_counts, print_json, print_table

if TYPE_CHECKING:
    from mien.cameras.topology import Topology
    from mien.media.video import Video
    from mien.scene.annotated_video import AnnotatedVideo
    from mien.scene.zones.zone_file import Zones

app = typer.Typer(help="Follow people from camera to camera.", no_args_is_help=True)

TopologyFile = Annotated[Path, typer.Argument(metavar="TOPOLOGY.toml", help="Cameras, and which lead to which.")]


@app.command()
def check(topology: TopologyFile, json: Json = False) -> None:
    """Read a topology file and show what it says."""
    from mien.cameras.topology import load_topology

    site = load_topology(topology)
    ways = [
        {
            "from": origin,
            "to": destination,
            "shortest": travel.shortest,
            "typical": travel.typical,
            "longest": travel.longest,
            "share": round(share, 4),
        }
        for (origin, destination), (travel, share) in site.ways().items()
    ]
    if json:
        print_json({"cameras": site.names, "ways": ways, "memory": site.memory, "stray": site.stray})
        return
    print_table(
        "cameras", ["camera", "source", "clock offset"], [[c.name, c.source, c.clock_offset] for c in site.cameras]
    )
    print_table("ways", ["from", "to", "shortest", "typical", "longest", "share"], [list(way.values()) for way in ways])


@app.command()
def follow(
    topology: TopologyFile,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="CAMERA=SOURCE", help="Instead of the file's own; repeatable."),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(help="Recognize the subjects of this collection by their faces.")
    ] = None,
    fpir: Fpir = 0.01,
    events: Annotated[
        Path | None, typer.Option("--events", metavar="FILE.jsonl", help="Write one event a line.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the annotated video of each camera, DIR/CAMERA.mp4.")
    ] = None,
    json: Json = False,
) -> None:
    """Follow people through all cameras at once; ends with the recordings, or with Ctrl-C.

    Lines, zones and rules of a camera are looked at where the topology file names its zone file.
    """
    from mien.cameras.events import SITE_EVENTS, site_line
    from mien.cameras.site import Site
    from mien.cameras.topology import load_topology
    from mien.cli.interrupting import interruptible
    from mien.identity.gallery import Gallery
    from mien.media.frame_memory import share_arenas
    from mien.media.video import open_video
    from mien.scene.sinks.json_lines import JsonLines

    site_file = load_topology(topology)
    sources = _sources(site_file, topology.parent, source or [])
    zones = _zones(site_file, topology.parent)
    videos = {} if video is None else _videos(video, site_file.names)
    for written in [events, *videos.values()]:
        _check_output(written, [topology, *map(Path, sources.values())])
    share_arenas()
    frames = 0
    lost: list[str] = []
    with ExitStack() as stack:
        known = stack.enter_context(Gallery.open())[collection] if collection else None
        site = Site(site_file, collection=known, fpir=fpir, zones=zones)
        streams = {name: stack.enter_context(open_video(where)) for name, where in sources.items()}
        sink = stack.enter_context(JsonLines(events)) if events else None
        drawn = {name: _drawn(stack, file, streams[name], zones.get(name)) for name, file in videos.items()}

        def tell(record: dict[str, Any]) -> None:
            if sink is not None:
                sink.write(record)
            if json:
                print_json(record)
            if record["event"] in SITE_EVENTS:
                note(site_line(record))

        def close() -> None:
            for stream in streams.values():
                stream.close()

        moments = stack.enter_context(closing(site.follow(streams)))
        stack.enter_context(interruptible(close))
        for moment in moments:
            frames += not moment.is_end
            if moment.camera in drawn and moment.moment is not None:
                drawn[moment.camera].add(moment.moment)
            for record in moment.events:
                tell(record)
                if record["event"] == "camera_lost":
                    lost.append(record["camera"])
        for record in site.wrong_clocks():
            tell(record)
    identities = site.identities
    people = [identities.trajectory(person) for person in identities.people]
    across = sum(len({stay.camera for stay in stays}) > 1 for stays in people)
    summary = {"frames": frames, "people": len(people), "across_cameras": across, "merges": len(identities.merges)}
    if json:
        by_camera = {"cameras": site.counts} if site.counts else {}
        print_json({"summary": summary | {"lost": lost} | by_camera})
        return
    rows = [
        [
            stays[0].person,
            identities.subject_of(stays[0].person),
            _way(stays),
            stays[0].start,
            stays[-1].end,
            _least(stays),
        ]
        for stays in people
    ]
    print_table("people", ["person", "subject", "way", "from s", "to s", "least confidence"], rows)
    for name, counts in site.counts.items():
        note(f"{name}:")
        print_counts(counts)


@app.command()
def table(
    events: Annotated[Path, typer.Argument(metavar="EVENTS.jsonl", help="As `mien cameras follow` wrote them.")],
    undo: Annotated[
        list[int] | None, typer.Option("--undo", metavar="MERGE", help="Take this merge back; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """The table of trajectories: who was in which camera when. Merges that were wrong are taken back."""
    from mien.cameras.table import COLUMNS, trajectory_rows
    from mien.scene.sinks.replay import read_events

    rows = trajectory_rows(read_events(events), undo=undo or [])
    if json:
        print_json({"rows": rows})
        return
    print_table("trajectories", list(COLUMNS), [[row[column] for column in COLUMNS] for row in rows])


def _check_output(written: Path | None, inputs: list[Path]) -> None:
    """Results must not be written over what they are made from."""
    from mien.errors import UsageError

    if written is not None and written.exists() and any(path.exists() and path.samefile(written) for path in inputs):
        raise UsageError(f"{written} would be written over; give every result a file of its own", code="file_in_use")


def _zones(topology: Topology, folder: Path) -> dict[str, Zones]:
    """The zones of each camera that has any; files are looked for beside the topology file."""
    from mien.scene.zones.zone_file import load_zones

    return {camera.name: load_zones(folder / camera.zones) for camera in topology.cameras if camera.zones is not None}


def _videos(folder: Path, names: list[str]) -> dict[str, Path]:
    """A file for each camera; what no file's name can hold becomes an underscore."""
    from mien.errors import UsageError

    files = {name: folder / (re.sub(r"[^\w .-]", "_", name) + ".mp4") for name in names}
    if len(set(files.values())) < len(files):
        raise UsageError(
            f"--video: two of the cameras {', '.join(names)} would be written to one file; rename one",
            code="file_in_use",
        )
    make_folder(folder)
    return files


def _drawn(stack: ExitStack, file: Path, stream: Video, zones: Zones | None) -> AnnotatedVideo:
    from mien.scene.annotated_video import AnnotatedVideo

    return stack.enter_context(AnnotatedVideo(file, stream.frame_rate, stream.width, stream.height, zones=zones))


def _sources(topology: Topology, folder: Path, given: list[str]) -> dict[str, str]:
    """The source of each camera; files are looked for beside the topology file."""
    from mien.errors import UsageError, nearest
    from mien.media.files import is_url

    sources = {}
    for camera in topology.cameras:
        if camera.source is not None:
            beside = folder / camera.source
            sources[camera.name] = str(beside) if not is_url(camera.source) and beside.exists() else camera.source
    for pair in given:
        name, equals, where = pair.partition("=")
        if not equals or name not in topology.names:
            raise UsageError(
                f"--source {pair!r}: expected CAMERA=SOURCE with a camera of the file{nearest(name, topology.names)}",
                code="source_invalid",
            )
        sources[name] = where
    missing = [name for name in topology.names if name not in sources]
    if missing:
        raise UsageError(
            f"no source is known of {', '.join(missing)}; write it into the file or give --source {missing[0]}=SOURCE",
            code="source_invalid",
        )
    return sources


def _way(stays: Any) -> str:
    names = [stay.camera for stay in stays]
    return " > ".join(name for at, name in enumerate(names) if at == 0 or names[at - 1] != name)


def _least(stays: Any) -> float | None:
    return min((stay.merge.confidence for stay in stays if stay.merge is not None), default=None)
