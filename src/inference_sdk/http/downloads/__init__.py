"""Pictures (and clips) by URL: which URLs may be fetched, and fetching them, sync and async.

    addresses          what IP addresses are, and mean
    destinations       the text of a URL, read in the one way in which it is requested
    policy             which destinations and addresses are refused
    following          one download: each hop judged, then asked for
    fetching           downloads over our own connections, kept from one to the next
    failures           what goes wrong, told with the picture's URL
    through_libraries  for whoever listens in on `requests` or aiohttp
    requests_adapter, aiohttp_resolver    the policy for programs that use those libraries

A URL may come from someone the program does not trust, and leads wherever its name, its redirects
and the DNS say. The policy is applied to the text of every URL on the way, and to the addresses
its host resolves to, in the very look-up that the connection is made from.
"""
