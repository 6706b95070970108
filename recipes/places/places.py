"""Writes places.tsv and coastlines.txt, as src/text/gazetteer.h and coastlines.h describe them, from
the data of the packages that fetch.sh fetches.

Usage: places.py GEONAMES_DATA LAND_TOPOJSON DIR
"""
import json
import math
import sys
from pathlib import Path

LONGEST = 80  # bytes of a name


def usable(name):
    """A name that the file can hold."""
    return 0 < len(name.encode()) <= LONGEST and not any(c in "|#" or ord(c) < 32 or ord(c) == 127 for c in name)


class Area:
    """A country or state: it lies where its people live, as far as they live in the towns listed."""

    def __init__(self):
        self.vector, self.people = [0.0, 0.0, 0.0], 0

    def add(self, city):
        latitude, longitude = math.radians(city["latitude"]), math.radians(city["longitude"])
        people = city["population"]
        self.people += people
        for axis, part in enumerate(
            (math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude))
        ):
            self.vector[axis] += people * part

    def place(self):
        x, y, z = self.vector
        return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def line(name, latitude, longitude, country, population, kind, others):
    seen, kept = {name.casefold()}, []
    for other in others:
        if usable(other) and other.casefold() not in seen:
            seen.add(other.casefold())
            kept.append(other)
    return f"{name}\t{latitude:.4f}\t{longitude:.4f}\t{country}\t{population}\t{kind}\t{'|'.join(kept)}\n"


def write_places(data, path):
    cities = json.load(open(data / "cities5000.json")).values()
    countries = json.load(open(data / "countries.json"))
    states = json.load(open(data / "us_states.json"))
    areas = {}
    with open(path, "w", encoding="utf-8") as out:
        out.write("# Towns, countries and states from GeoNames (geonames.org), CC BY 4.0.\n")
        for city in sorted(cities, key=lambda c: (-c["population"], c["geonameid"])):
            code, state = city["countrycode"], city["admin1code"]
            country = f"{code}-{state}" if code == "US" and state else code
            for area in {code, country}:
                areas.setdefault(area, Area()).add(city)
            if usable(city["name"]):
                out.write(line(city["name"], city["latitude"], city["longitude"], country, city["population"], "city",
                               city["alternatenames"]))
        for code, country in countries.items():
            if code in areas and areas[code].people > 0 and usable(country["name"]):
                out.write(line(country["name"], *areas[code].place(), code, country["population"], "area", [country["iso3"]]))
        for code, state in states.items():
            area = areas.get(f"US-{code}")
            if area is not None and area.people > 0:
                out.write(line(state["name"], *area.place(), f"US-{code}", area.people, "area", []))


def write_coasts(topology, path):
    """Rings of TopoJSON: arcs of whole-numbered steps, a negative one backwards."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            arc.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(arc)
    with open(path, "w", encoding="utf-8") as out:
        out.write("# Coasts from Natural Earth (naturalearthdata.com), public domain.\n")
        for geometry in topology["objects"]["land"]["geometries"]:
            polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
            for ring in (ring for polygon in polygons for ring in polygon):
                points = []
                for index in ring:
                    arc = arcs[index] if index >= 0 else arcs[~index][::-1]
                    points += arc[1:] if points else arc
                out.write(" ".join(f"{x:.3f},{max(-90, min(90, y)):.3f}" for x, y in points) + "\n")


def main():
    data, land, directory = map(Path, sys.argv[1:])
    write_places(data, directory / "places.tsv")
    write_coasts(json.load(open(land)), directory / "coastlines.txt")


if __name__ == "__main__":
    main()
