"""The HTTP side: sockets, requests and answers in all their forms, lists and watches, files, and who asks."""
