"""Real ports and courses over open water for demonstration cruises. Positions in degrees, north and east positive."""

from __future__ import annotations

from dataclasses import dataclass

from portal.orders.document import PortCall

Place = tuple[float, float]  # latitude, longitude


@dataclass(frozen=True, slots=True)
class Region:
    """Where a cruise works: two ports and the corners of its course between them."""

    title: str
    summary: str
    depart: PortCall
    arrive: PortCall
    course: tuple[Place, ...]
    targets: tuple[tuple[str, float, float], ...]


PONTA_DELGADA = PortCall("PTPDL", "Ponta Delgada", "PT", "", -25.66, 37.735)
FUNCHAL = PortCall("PTFNC", "Funchal", "PT", "", -16.91, 32.64)
HONOLULU = PortCall("USHNL", "Honolulu", "US", "HI", -157.87, 21.3)
SUVA = PortCall("FJSUV", "Suva", "FJ", "", 178.42, -18.14)
APIA = PortCall("WSAPW", "Apia", "WS", "", -171.76, -13.82)
CAPE_TOWN = PortCall("ZACPT", "Cape Town", "ZA", "", 18.43, -33.9)
BERGEN = PortCall("NOBGO", "Bergen", "NO", "", 5.31, 60.4)
TROMSO = PortCall("NOTOS", "Tromsø", "NO", "", 18.96, 69.65)

REGIONS = (
    Region(
        "Ventilation of the subtropical thermocline between the Azores and Madeira",
        "Hydrographic sections across the Azores Current. Full-depth CTD stations with water sampling every thirty "
        "nautical miles, continuous multibeam bathymetry, currents by ship's ADCP, and underway pCO2 along the way.\n"
        "The section repeats a line first worked in 1981.",
        PONTA_DELGADA,
        FUNCHAL,
        (
            (37.735, -25.66),
            (37.55, -25.55),
            (36.2, -25.0),
            (33.0, -25.0),
            (33.0, -22.5),
            (37.0, -22.5),
            (37.0, -20.0),
            (32.9, -20.0),
            (32.35, -17.2),
            (32.6, -16.95),
            (32.64, -16.91),
        ),
        (("Azores Front", 34.5, -25.0), ("Station AC-12", 35.0, -22.5), ("Seine Abyssal Plain", 34.0, -20.0)),
    ),
    Region(
        "Mesoscale eddies in the lee of Madeira",
        "Surveys of two cyclonic eddies found by altimetry: CTD sections through their cores, microstructure, net tows "
        "at night, and an intercomparison of the two thermosalinographs.",
        FUNCHAL,
        PONTA_DELGADA,
        (
            (32.64, -16.91),
            (32.5, -17.0),
            (32.0, -17.6),
            (31.2, -19.4),
            (33.4, -19.4),
            (31.2, -20.8),
            (33.4, -22.2),
            (35.8, -23.6),
            (37.45, -25.5),
            (37.735, -25.66),
        ),
        (("Eddy M1", 32.2, -19.6), ("Eddy M2", 32.4, -21.0)),
    ),
    Region(
        "Time-series station north of Oahu",
        "Hydrography and biogeochemistry at an oligotrophic station.",
        HONOLULU,
        HONOLULU,
        (
            (21.3, -157.87),
            (21.1, -157.9),
            (21.15, -158.35),
            (21.7, -158.6),
            (22.75, -158.0),
            (23.6, -158.0),
            (22.75, -158.0),
            (21.7, -158.6),
            (21.15, -158.35),
            (21.1, -157.9),
            (21.3, -157.87),
        ),
        (("Station A", 22.75, -158.0),),
    ),
    Region(
        "Back-arc volcanism of the Lau Basin",
        "Multibeam mapping and plume surveys across the date line.",
        SUVA,
        APIA,
        (
            (-18.14, 178.42),
            (-18.35, 178.4),
            (-19.3, 179.0),
            (-20.6, -179.2),
            (-21.5, -177.4),
            (-20.4, -176.6),
            (-18.4, -175.4),
            (-16.4, -174.6),
            (-14.6, -172.6),
            (-13.75, -171.8),
            (-13.82, -171.76),
        ),
        (("Valu Fa Ridge", -22.0, -176.6), ("Mata", -15.1, -173.7)),
    ),
    Region(
        "Carbon export south of Africa",
        "A section from the shelf into the Subantarctic Zone and back.",
        CAPE_TOWN,
        CAPE_TOWN,
        (
            (-33.9, 18.43),
            (-33.85, 18.2),
            (-36.0, 16.0),
            (-40.0, 12.5),
            (-44.5, 9.5),
            (-41.0, 14.5),
            (-36.5, 17.5),
            (-33.85, 18.2),
            (-33.9, 18.43),
        ),
        (("Subantarctic Front", -45.5, 9.0),),
    ),
    Region(
        "Atlantic water along the Norwegian slope",
        "Repeat sections across the Norwegian Atlantic Current.",
        BERGEN,
        TROMSO,
        (
            (60.4, 5.31),
            (60.6, 4.6),
            (62.5, 2.0),
            (64.5, 2.5),
            (66.5, 4.0),
            (68.5, 8.0),
            (70.2, 14.0),
            (70.6, 17.5),
            (70.2, 19.2),
            (69.65, 18.96),
        ),
        (("Svinøy section", 63.7, 3.4), ("Lofoten Basin", 69.8, 4.0)),
    ),
)
