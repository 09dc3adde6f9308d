"""The only code that imports kopf.

What kopf does here: it discovers the CRD, lists and watches ChainlitApps, and calls one ``on.event`` handler, which
puts each of them into the runtime. It also decides when its watch starts again. It does nothing else: no state, no
retries, no annotations, no finalizers, no Events, no peering. It writes nothing into any object.

What it costs: this package, and the lists of ``controller/app_relister.py``, because kopf has no event for "all objects
are delivered" and reports no deletion between two watches: together about 460 lines. Its import takes 4 MiB after all
other imports of the operator. An event takes 0.8 ms of processor time, ten times that of a reflector, so known events
are removed from the answers before kopf reads them (:mod:`known_events`). Each start of kopf lists ChainlitApps again.

What would be different without it: ChainlitApps would be one more kind of a reflector (``kube/reflector.py``), with the
same lists, watches and errors as every other kind. This package and the relister would not exist. Users would see no
difference.
"""
