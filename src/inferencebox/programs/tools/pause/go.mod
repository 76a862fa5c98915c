// The process that holds a pod's namespaces open, and ends what is left in them.
module inferencebox.io/programs/pause

go 1.25.0
