package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
)

func split(name string, percent int, headers map[string]string) v1alpha1.IngressBackendSplit {
	return v1alpha1.IngressBackendSplit{
		IngressBackend: v1alpha1.IngressBackend{
			ServiceNamespace: "tenant-a", ServiceName: name, ServicePort: intstr.FromInt32(80),
		},
		Percent:       percent,
		AppendHeaders: headers,
	}
}

func asked(rules ...v1alpha1.IngressRule) *v1alpha1.Ingress {
	return &v1alpha1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: "iris-predictor", Namespace: "tenant-a", UID: "1"},
		Spec:       v1alpha1.IngressSpec{Rules: rules},
	}
}

func local(hosts []string, paths ...v1alpha1.HTTPIngressPath) v1alpha1.IngressRule {
	return v1alpha1.IngressRule{
		Hosts:      hosts,
		Visibility: v1alpha1.IngressVisibilityClusterLocal,
		HTTP:       &v1alpha1.HTTPIngressRuleValue{Paths: paths},
	}
}

func TestAnIngressIsAVirtualServiceOfTheLocalGateway(t *testing.T) {
	made, err := virtualService(asked(
		local([]string{"iris.tenant-a", "iris.tenant-a.svc"}, v1alpha1.HTTPIngressPath{
			Headers:       map[string]v1alpha1.HeaderMatch{"Knative-Serving-Tag": {Exact: "prev"}},
			Path:          "/v1",
			RewriteHost:   "other.tenant-a",
			AppendHeaders: map[string]string{"K-Network-Hash": "abc"},
			Splits: []v1alpha1.IngressBackendSplit{
				split("iris-00001", 90, map[string]string{"Knative-Serving-Revision": "iris-00001"}),
				split("iris-00002", 10, nil),
			},
		}),
		local([]string{"prev-iris.tenant-a"}, v1alpha1.HTTPIngressPath{
			Splits: []v1alpha1.IngressBackendSplit{split("iris-00001", 100, nil)},
		}),
	))
	if err != nil {
		t.Fatal(err)
	}
	if made.GetName() != "iris-predictor-ingress" || made.GetNamespace() != "tenant-a" {
		t.Errorf("it is %s/%s", made.GetNamespace(), made.GetName())
	}
	if owner := made.GetOwnerReferences()[0]; owner.Name != "iris-predictor" || !*owner.Controller {
		t.Errorf("it belongs to %v", owner)
	}
	want := `{
		"hosts": ["iris.tenant-a", "iris.tenant-a.svc", "prev-iris.tenant-a"],
		"gateways": ["knative-serving/knative-local-gateway"],
		"exportTo": ["istio-system"],
		"http": [
			{
				"match": [
					{
						"authority": {"exact": "iris.tenant-a"},
						"headers": {"Knative-Serving-Tag": {"exact": "prev"}},
						"uri": {"prefix": "/v1"}
					},
					{
						"authority": {"exact": "iris.tenant-a.svc"},
						"headers": {"Knative-Serving-Tag": {"exact": "prev"}},
						"uri": {"prefix": "/v1"}
					}
				],
				"route": [
					{
						"destination": {"host": "iris-00001.tenant-a.svc.cluster.local", "port": {"number": 80}},
						"weight": 90,
						"headers": {"request": {"set": {"Knative-Serving-Revision": "iris-00001"}}}
					},
					{
						"destination": {"host": "iris-00002.tenant-a.svc.cluster.local", "port": {"number": 80}},
						"weight": 10
					}
				],
				"headers": {"request": {"set": {"K-Network-Hash": "abc"}}},
				"rewrite": {"authority": "other.tenant-a"},
				"retries": {"attempts": 2, "retryOn": "connect-failure,refused-stream"}
			},
			{
				"match": [{"authority": {"exact": "prev-iris.tenant-a"}}],
				"route": [
					{
						"destination": {"host": "iris-00001.tenant-a.svc.cluster.local", "port": {"number": 80}},
						"weight": 100
					}
				],
				"retries": {"attempts": 2, "retryOn": "connect-failure,refused-stream"}
			}
		]
	}`
	got, err := json.Marshal(made.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(plain(t, string(got)), plain(t, want)) {
		t.Errorf("it says %s", got)
	}
}

func plain(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestWhatTheGatewayCannotDoIsRefused(t *testing.T) {
	public := local([]string{"iris.example.org"})
	public.Visibility = v1alpha1.IngressVisibilityExternalIP
	if _, err := virtualService(asked(public)); !errors.Is(err, errOutside) {
		t.Errorf("a route from outside: %v", err)
	}
	named := split("iris-00001", 100, nil)
	named.ServicePort = intstr.FromString("http")
	path := v1alpha1.HTTPIngressPath{Splits: []v1alpha1.IngressBackendSplit{named}}
	if _, err := virtualService(asked(local([]string{"iris.tenant-a"}, path))); !errors.Is(err, errPort) {
		t.Errorf("a port with a name: %v", err)
	}
}
