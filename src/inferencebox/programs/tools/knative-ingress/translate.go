package main

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	"knative.dev/pkg/kmeta"
)

const (
	gateway = "knative-serving/knative-local-gateway"
	// Where the gateway's pods are: nobody else needs to know the route.
	gatewayNamespace = "istio-system"
)

var (
	errOutside = errors.New("there is no gateway for requests from outside of the cluster: " +
		"label the service networking.knative.dev/visibility: cluster-local")
	errPort = errors.New("a backend's port must be a number")
)

type object = map[string]any

// virtualService writes an Ingress as Istio has it: the same rules in the same order, each for its own hosts.
func virtualService(ing *v1alpha1.Ingress) (*unstructured.Unstructured, error) {
	hosts := sets.New[string]()
	var routes []any
	for _, rule := range ing.Spec.Rules {
		if rule.Visibility != v1alpha1.IngressVisibilityClusterLocal {
			return nil, errOutside
		}
		hosts.Insert(rule.Hosts...)
		for _, path := range rule.HTTP.Paths {
			route, err := httpRoute(rule.Hosts, path)
			if err != nil {
				return nil, err
			}
			routes = append(routes, route)
		}
	}
	made := &unstructured.Unstructured{Object: object{
		"apiVersion": "networking.istio.io/v1",
		"kind":       "VirtualService",
		"spec": object{
			"hosts":    texts(sets.List(hosts)),
			"gateways": []any{gateway},
			"exportTo": []any{gatewayNamespace},
			"http":     routes,
		},
	}}
	// Not the Ingress' own name, which is that of a Service: models have VirtualServices of their names.
	made.SetName(kmeta.ChildName(ing.Name, "-ingress"))
	made.SetNamespace(ing.Namespace)
	made.SetOwnerReferences([]metav1.OwnerReference{*kmeta.NewControllerRef(ing)})
	return made, nil
}

func httpRoute(hosts []string, path v1alpha1.HTTPIngressPath) (object, error) {
	var matches, destinations []any
	for _, host := range hosts {
		match := object{"authority": object{"exact": host}}
		if path.Path != "" {
			match["uri"] = object{"prefix": path.Path}
		}
		if len(path.Headers) > 0 {
			headers := object{}
			for name, header := range path.Headers {
				headers[name] = object{"exact": header.Exact}
			}
			match["headers"] = headers
		}
		matches = append(matches, match)
	}
	for _, split := range path.Splits {
		if split.ServicePort.Type != intstr.Int {
			return nil, fmt.Errorf("%w, not %q", errPort, split.ServicePort.StrVal)
		}
		destination := object{
			"destination": object{
				"host": split.ServiceName + "." + split.ServiceNamespace + ".svc.cluster.local",
				"port": object{"number": int64(split.ServicePort.IntVal)},
			},
			"weight": int64(split.Percent),
		}
		setHeaders(destination, split.AppendHeaders)
		destinations = append(destinations, destination)
	}
	route := object{
		"match": matches,
		"route": destinations,
		// Each of these happens before a server saw the request: no work is done twice.
		"retries": object{"attempts": int64(2), "retryOn": "connect-failure,refused-stream"},
	}
	setHeaders(route, path.AppendHeaders)
	if path.RewriteHost != "" {
		route["rewrite"] = object{"authority": path.RewriteHost}
	}
	return route, nil
}

// setHeaders sets, and does not add: what a caller sent under such a name must not reach the activator.
func setHeaders(place object, headers map[string]string) {
	if len(headers) == 0 {
		return
	}
	set := object{}
	for name, value := range headers {
		set[name] = value
	}
	place["headers"] = object{"request": object{"set": set}}
}

func texts(values []string) []any {
	made := make([]any, len(values))
	for i, value := range values {
		made[i] = value
	}
	return made
}
