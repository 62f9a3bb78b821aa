module tollgate/conformance

go 1.24
